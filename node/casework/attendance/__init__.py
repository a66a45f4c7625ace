"""Attendance: who has not been in school for days, and has no granted leave. Local; nothing of it is ever sent."""
