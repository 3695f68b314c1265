"""The control API of the simulator: endpoints, serializers and parsers.

May import `pms` and `hotel` of the simulator, `validation`, `web/http`, and pmslink's top-level modules.
"""
