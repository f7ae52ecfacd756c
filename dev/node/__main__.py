"""`python -m dev.node`: a node agent, until it is told to end by SIGTERM or Ctrl-C."""

import logging
import signal
import sys

from dev.node.agent import NodeAgent
from dev.node.settings import NodeSettings
from dev.processes import Supervisor


def main() -> None:
    """Returns when the agent has ended and none of its processes is left."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s: %(message)s")
    with Supervisor(grace=0) as supervisor:
        agent = NodeAgent(NodeSettings.parse(sys.argv[1:]), supervisor)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: agent.stop())
        agent.run()


if __name__ == "__main__":
    main()
