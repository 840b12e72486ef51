"""Every panel: what strangers wrote stays text, and nobody is shut out, in both themes; and what
can be done with the machine, in the same Studio."""

from browser_flows import patient, run_flow


@patient
def test_panels(tmp_path):
    run_flow("(panels|machine)", tmp_path)
