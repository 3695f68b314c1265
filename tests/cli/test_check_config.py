"""`pmslink check-config`: the summary of a file, and its errors."""

from __future__ import annotations

from pathlib import Path

from tests.cli.fake_service import Run


def test_check_config_summarizes_a_valid_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text("""
        state_dir = "/var/lib/pmslink"
        [links.grand]
        host = "10.20.0.5"
        port = 5010
        profile = "opera"
        alive_interval = 300
        alive_timeout = 12.5
        timezone = "Europe/Vienna"
        [links.annexe]
        host = "::1"
        port = 5011
    """)
    assert run("check-config", str(file)) == [
        "state_dir: /var/lib/pmslink",
        "api.listen: tcp:8080:interface=127.0.0.1",
        "retention: guest data 30 days, history 400 days",
        'links.grand: 10.20.0.5:5010, opera, alive_timeout = 12.5, timezone = "Europe/Vienna"',
        "links.annexe: [::1]:5011, generic",
    ]


def test_check_config_reports_a_file_without_links(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hotel.toml").touch()
    assert run("check-config", str(tmp_path / "hotel.toml"))[-1] == "no links"


def test_check_config_prints_one_line_for_each_error(fail: Run, tmp_path: Path) -> None:
    file = tmp_path / "hotel.toml"
    file.write_text('[links.grand]\nhost = ""\nport = 0')
    assert fail("check-config", str(file)) == [
        f'{file}: links.grand.host = "": must be a host name or an IP address, without the port',
        f"{file}: links.grand.port = 0: must be a whole number from 1 to 65535",
    ]
