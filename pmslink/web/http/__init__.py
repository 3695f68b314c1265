"""HTTP building blocks: bounded requests, JSON responses, parameters, errors and routing.

Knows no endpoint.
"""
