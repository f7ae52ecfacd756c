"""A node agent that runs a pod's container as a local process: pods without kubelet, container engine or root.

The control plane is real and cannot tell the difference; a program that runs in a pod hardly can. What is imitated:

- **Paths.** `/mira/input` does not exist on this host. Every pod has a folder that stands for its container's root, and
  in it a real folder for every mount. A word of `command` or `args`, the value of a variable, `workingDir` or
  `terminationMessagePath` that equals a mount path (or the termination message path), or continues one behind a slash,
  is rewritten to the real place. Only whole values: a path inside a longer text stays as it is.
- **The image.** Its name chooses the environment (PYTHONPATH, ...) that makes a folder of this host stand for its
  content, from a file that says so (`--images`). An image that the file does not know cannot be pulled. Its entry point
  is unknown, so a container needs a `command`.
- **The service account.** Its environment comes from a file (`--credentials`), as EKS Pod Identity would inject it.
- **Environment.** Nothing comes from the agent's own but PATH (this interpreter's folder first) and what numpy needs on
  this machine. HOME and TMPDIR lie in the pod's folder.

One container per pod, restartPolicy Never, and the volumes emptyDir, configMap, secret and downwardAPI; a pod that asks
for anything else that matters is refused with the reason. Not enforced: resource limits, probes, hooks, security
contexts, read-only mounts. The token volume that Kubernetes adds to a pod stays empty.

SIGTERM goes to the container's first process alone, as on a cluster. When that ends, the rest of its process group is
killed; what has left the group ends with the agent. If the agent dies, however, all processes die; the next agent
reports their pods as failed and never runs one twice.
"""

from dev.node.settings import NodeSettings
from dev.node.start import start_node

__all__ = ["NodeSettings", "start_node"]
