"""What this machine's processor is slow at; looked at before numpy is imported."""

from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def slow_features(cpuinfo: Path = _CPUINFO) -> str:
    """For NPY_DISABLE_CPU_FEATURES: what numpy had better not use, under its old and its new names.

    AMD's Zen 4 carries out AVX-512's compressed stores in microcode, and numpy's sort is made of
    them: with AVX2 it takes a fifth of the time.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return ""
    facts = {name.strip(): value.strip() for name, _, value in (it.partition(":") for it in lines)}
    zen = facts.get("vendor_id") == "AuthenticAMD" and facts.get("cpu family") == "25"
    return "AVX512_SKX X86_V4" if zen and "avx512f" in facts.get("flags", "").split() else ""
