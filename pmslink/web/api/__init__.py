"""Endpoints of the JSON API, one module for each resource, and the OpenAPI document.

It may import the other packages of `pmslink.web`, and the packages below `pmslink.web`.
"""
