"""Let `twistd -n` start whatever a pid file of an earlier run says."""

from __future__ import annotations

from twisted.python import usage

_DEFAULT_PID_FILE = "twistd.pid"


def drop_default_pid_file(options: usage.Options) -> None:
    """Make `twistd -n` write and check no pid file, unless the command line names another one.

    After a power cut the file names a process that may be any other program by now, and twistd would not
    start. In the foreground nobody needs the file: the lock of the state directory excludes a second service.
    `options` are those of a program of twistd; call this in their `postOptions`.
    """
    twistd = options.parent
    if twistd is None:  # not run by twistd
        return
    in_foreground = twistd["nodaemon"] or twistd["debug"]
    if in_foreground and twistd["pidfile"] == _DEFAULT_PID_FILE:
        twistd["pidfile"] = ""
