"""A PMS simulator for tests and demonstrations: the PMS side of FIAS, faults included.

`service` holds the command line and the service, `control` the JSON API, `life` the automatic activity, `pms`
the FIAS side and `hotel` the rooms and guests. Imports go from `service` to `control` and `life`, from these
to `pms`, and from `pms` to `hotel`. Of pmslink itself the package uses `fias`, `validation`, the building
blocks of `web/http`, and the small top-level modules.
"""
