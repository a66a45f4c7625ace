"""Publishing releases by hand: the command, and what the registry answers on its control socket."""
