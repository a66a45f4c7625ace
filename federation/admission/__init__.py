"""How a party comes into the federation: it makes its keys and a request, and the authority lists it.

`request` is the file that it sends, `words` what both read to each other over the telephone, `joining` what it takes to
become a party once it is listed, `authority` and `cli` the authority's side.

Invariant: nobody is admitted by any of this but by the authority's signature under a descriptor.
"""
