//! Servers: how they are reached, what they can, which is asked, and the validation of what they say.
