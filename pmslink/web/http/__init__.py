"""HTTP building blocks for any Klein application: bounded requests, JSON, parameters and errors.

`bounded_site.BoundedSite` combines them. This package has no endpoints and no authentication. It may import
`pmslink.errors` and `pmslink.validation`, and nothing else of pmslink.
"""
