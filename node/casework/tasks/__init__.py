"""Tasks that belong to no routine: was the pupil seen, what is behind an absence, who is placed nowhere, who came."""
