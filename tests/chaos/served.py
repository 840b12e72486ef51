"""An endpoint of two servers that is asked 100 times a second while whoever serves it is killed."""

import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from chaos.endpoints import all_good, await_servers, kill_server
from chaos.house import house
from chaos.invariants import broken
from chaos.kills import Strikes
from chaos.outcome import Report, slower, spread
from chaos.updates import load, serve

_RATE = 100
_SERVERS = 2
_MOST_LOST = 0.001
_ROUTER_SECONDS = 1.0
_VICTIMS = ("control plane", "router", "server")


def killed(repeats: int, seed: int, pause: float = 20) -> Report:
    """Kills of any of them, up to `pause` seconds apart. A server is killed while the other one
    serves, for which it may have to wait: one that dies again and again is started a minute later.
    """
    chance, count, back = random.Random(seed), Counter[str](), list[float]()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        serve(home, _SERVERS)
        strikes = Strikes(home, chance)
        with load(home, _RATE) as clients:
            for victim in _victims(chance, repeats):
                time.sleep(chance.uniform(0, pause))
                count[victim] += 1
                if victim == "server":
                    await_servers(home, _SERVERS)
                    back.append(kill_server(home, clients))
                else:
                    strikes.strike(victim)
            all_good(clients)
        wrong = broken(home)
    asked = sum(it.answers.total() + len(it.failed) for it in clients)
    failed = [said for it in clients for said in it.failed]
    if len(failed) > asked * _MOST_LOST:
        wrong.append(f"{len(failed)} of {asked} requests lost: {Counter(failed).most_common(3)}")
    figures = {
        **{f"kills of a {whom}": str(count[whom]) for whom in _VICTIMS},
        "requests": f"{len(failed)} of {asked} lost",
        "router back": spread(strikes.back),
        "server's clients answered": spread(back),
    }
    promise = "the router is back within 1 s; 0.1 % of requests lost at most"
    name, slow = "F24 kills of who serves", slower(strikes.back, _ROUTER_SECONDS, "router back")
    return Report(name, promise, repeats, seed, figures, tuple(wrong), slow=slow)


def _victims(chance: random.Random, repeats: int) -> list[str]:
    """Each as often as the others, in any order."""
    victims = [_VICTIMS[number % len(_VICTIMS)] for number in range(repeats)]
    chance.shuffle(victims)
    return victims
