"""Live updates: Server-Sent Events, their replay buffer, and long polls.

It may import `serializers`, `auth` and `http` of `pmslink.web`, and the packages below `pmslink.web`.
"""
