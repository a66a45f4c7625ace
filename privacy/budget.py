"""What the privacy of one year's children may be spent on: zero-concentrated differential privacy in whole 1e-9 (nano-ρ).

Pure. A profile names what each table costs and what is kept in reserve for further questions; the sum is its cap.
ρ of mechanisms over the same children adds up (Bun and Steinke 2016); (ε, δ) follows from it by `epsilon`.
"""
