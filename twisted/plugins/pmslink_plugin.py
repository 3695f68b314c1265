"""The programs that pmslink adds to `twistd`."""

from twisted.application.service import ServiceMaker

pmslink = ServiceMaker(
    "pmslink", "pmslink.service", "Keep an IP-PBX docked to a hotel's PMS over FIAS.", "pmslink"
)
pmssim = ServiceMaker("pmssim", "pmslink.simulator.service", "Simulate a PMS for tests and demos.", "pmssim")
