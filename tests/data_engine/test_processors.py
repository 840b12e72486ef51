"""What numpy had better not use is told by the processor's own description."""

import pytest

from studio.data.processors import slow_features

ZEN_4 = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu avx2 avx512f\n"
OTHERS = {
    "Zen 3": ZEN_4.replace(" avx512f", ""),
    "Zen 5": ZEN_4.replace(": 25", ": 26"),
    "Intel": ZEN_4.replace("AuthenticAMD", "GenuineIntel"),
    "ARM": "processor\t: 0\nFeatures\t: fp asimd\n",
}


def test_zen_4_is_slow_at_wide_stores(tmp_path):
    (tmp_path / "cpuinfo").write_text(ZEN_4)
    assert "X86_V4" in slow_features(tmp_path / "cpuinfo")


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_not(tmp_path, name):
    (tmp_path / "cpuinfo").write_text(OTHERS[name])
    assert slow_features(tmp_path / "cpuinfo") == ""


def test_a_machine_without_a_description(tmp_path):
    assert slow_features(tmp_path / "cpuinfo") == ""
