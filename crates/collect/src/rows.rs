//! A list that is filled anew every second without allocating.

/// Like a `Vec`, but clearing keeps the elements, with what they have allocated, for reuse.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    slots: Vec<T>,
    used: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), used: 0 }
    }
}

impl<T: Default> Rows<T> {
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// Adds an element. It holds the values of an earlier one: the caller sets all of them.
    pub fn add(&mut self) -> &mut T {
        if self.used == self.slots.len() {
            self.slots.push(T::default());
        }
        self.used += 1;
        &mut self.slots[self.used - 1]
    }

    /// Takes out what is not wanted and keeps the order of the rest.
    pub fn retain(&mut self, mut wanted: impl FnMut(&T) -> bool) {
        let mut kept = 0;
        for i in 0..self.used {
            if wanted(&self.slots[i]) {
                self.slots.swap(kept, i);
                kept += 1;
            }
        }
        self.used = kept;
    }
}

impl<T> Rows<T> {
    pub fn as_slice(&self) -> &[T] {
        &self.slots[..self.used]
    }

    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.slots[..self.used]
    }

    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.as_slice().iter()
    }
}

impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Rows<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_is_reused() {
        let mut rows = Rows::<String>::default();
        for name in ["a", "b", "c", "d"] {
            *rows.add() = name.into();
        }
        rows.retain(|name| name == "b" || name == "d");
        assert_eq!(rows.as_slice(), ["b", "d"]);
        *rows.add() = "e".into();
        assert_eq!(rows.as_slice(), ["b", "d", "e"]);
        assert_eq!(rows.slots.len(), 4);
    }
}
