"""The web interface of a running service: JSON API, live stream, metrics, and the page in the browser.

It may import every package of pmslink except `cli`, `simulator` and `service`.
"""
