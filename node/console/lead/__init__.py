"""Who leads a case: the part of a case file's page on which a lead is offered or taken."""
