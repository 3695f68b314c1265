"""HTTP building blocks for any Klein application: bounded requests, JSON, parameters and errors.

`bounded_site.BoundedSite` puts them together. This package knows no endpoint and no caller. It may import
`pmslink.errors` and `pmslink.validation`, and nothing else of pmslink.
"""
