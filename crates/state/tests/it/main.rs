//! The database of documents from outside.

#[cfg(test)]
mod damage;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod support;
