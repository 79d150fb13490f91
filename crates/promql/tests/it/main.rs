//! PromQL as its users see it.

#[cfg(test)]
mod script;
#[cfg(test)]
mod scripts;
