"""The evaluator: a plain RFC 9497 VOPRF server over its share of each epoch's key, with a quota per member."""
