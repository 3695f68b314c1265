"""Access control: tokens, sessions, CSRF protection, permissions by role, and listening addresses.

It may import `pmslink.web.http` and the top-level modules of pmslink, and nothing else of pmslink.
"""
