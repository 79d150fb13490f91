//! The store as its users see it.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod basics;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod due;
#[cfg(test)]
mod full;
#[cfg(test)]
mod import;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tiers;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod verify;
