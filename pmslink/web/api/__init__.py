"""Endpoints of the JSON interface, one module for each resource, and the OpenAPI document."""
