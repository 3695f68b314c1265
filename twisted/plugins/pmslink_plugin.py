"""What `twistd` can start."""

from twisted.application.service import ServiceMaker

pmslink = ServiceMaker(
    "pmslink", "pmslink.service", "Keeps an IP-PBX docked to a hotel's PMS over FIAS.", "pmslink"
)
pmssim = ServiceMaker(
    "pmssim", "pmslink.simulator.service", "A PMS to test and demonstrate against.", "pmssim"
)
