"""What all parties share: the contract, the rules, the chassis every daemon is built on, and the command line on top."""
