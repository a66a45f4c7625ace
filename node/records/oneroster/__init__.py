"""Source: OneRoster 1.2 CSV (1EdTech CSV binding 1.2.1), a directory or zip file, whole (bulk) or what changed (delta).

Who is a pupil, and where, is told by the student roles of roles.csv; enrollments.csv stands in for a pupil whose roles
bear no dates. A bulk delivery is whole in everything that tells this. A delta changes a role by the role's `sourcedId`.
"""
