//! The tests, a file a subject.

mod commands;
mod learning;
mod own_data;
mod page;
mod readme;
mod refusals;
mod restart;
mod samples;
mod sign_in;
mod single;
mod stopping;
mod watching;
mod ways_in;
