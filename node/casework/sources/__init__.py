"""Attendance and residents: the two sources beside the roster of pupils, as commands, worker and pages ask for them."""
