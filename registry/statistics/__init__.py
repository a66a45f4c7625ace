"""The national statistics: tables drawn once under differential privacy, and what reads them.

what there is   catalogue  geography  model  labels  calendar
a release       describing → counting, coverage → drawing → releasing (outside: what a database set back forgot);
                by hand: publishing
an answer       selecting → released → answers → cube → jsonstat  delimited  workbook, with notes
a question      questions → asking → sums
the registry    servicers → wire → desk (kept: what it has answered)
a reader        settings → reader → client; reading: what it asks and gets; on a terminal: cli  listing  terminal
"""
