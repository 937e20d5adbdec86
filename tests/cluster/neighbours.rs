//! A neighbour whose token endpoints do not respond, or whose objects cannot be written, delays and floods nobody else, and fills no
//! memory.

mod finalizer;
mod silent;
mod unstored;
