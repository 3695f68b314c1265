"""The `pmslink` command: `main` has the parser and prints, other modules have one command or group each.

`api_client` sends requests to a running service, `terminal_output` formats lines, and `state_dir_option`
finds the state directory. May import everything but `service` and `simulator`.
"""
