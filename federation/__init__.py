"""What all parties share: the contract, the rules, the chassis of every daemon, and the command line on top."""
