//! Requisites between chunks: who is meant, whether there is a circle, and the order to run in.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::adjust::cannot_extend;
use super::declaration::Declaration;
use super::flatten::Draft;
use super::gather::Gathered;
use super::requisite::{self, Item, Keyword};
use crate::chunk::{Chunk, Requisite, RequisiteKind};
use crate::closest::closest;
use crate::diagnostic::Diagnostic;
use crate::glob;

/// Resolves every requisite and returns the chunks in the order to run them.
pub(crate) fn resolve(
    drafts: Vec<Draft>,
    gathered: &Gathered,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Chunk> {
    let found = Resolver::new(&drafts, gathered).all(faults);
    let mut chunks: Vec<Chunk> = drafts.into_iter().map(|draft| draft.chunk).collect();
    for (chunk, requisites) in chunks.iter_mut().zip(found) {
        chunk.requisites = requisites;
    }
    match order(&chunks) {
        Ok(positions) => renumber(chunks, &positions),
        Err(circle) => {
            faults.push(recursive(&chunks, &circle));
            chunks
        }
    }
}

struct Resolver<'a> {
    drafts: &'a [Draft],
    gathered: &'a Gathered,
    /// Chunks by ID and by name, so that a plain word is found without looking at all of them.
    by_word: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Resolver<'a> {
    fn new(drafts: &'a [Draft], gathered: &'a Gathered) -> Self {
        let mut by_word: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, Draft { chunk, .. }) in drafts.iter().enumerate() {
            for word in BTreeSet::from([chunk.id.as_str(), chunk.name.as_str()]) {
                by_word.entry(word).or_default().push(index);
            }
        }
        Resolver {
            drafts,
            gathered,
            by_word,
        }
    }

    fn all(&self, faults: &mut Vec<Diagnostic>) -> Vec<Vec<Requisite>> {
        let mut requisites: Vec<Vec<Requisite>> = vec![Vec::new(); self.drafts.len()];
        for (index, draft) in self.drafts.iter().enumerate() {
            for (keyword, item) in &draft.items {
                let targets = self.targets(index, item);
                if targets.is_empty() && !self.is_empty_sls(item) {
                    // Several names of one ID would say the same thing.
                    if draft.chunk.name_order <= 1 {
                        faults.push(self.missing(*keyword, item, &draft.chunk));
                    }
                    continue;
                }
                match keyword {
                    Keyword::From(kind) => add(&mut requisites[index], *kind, targets),
                    Keyword::In(kind) => {
                        for target in targets {
                            add(&mut requisites[target], *kind, vec![index]);
                        }
                    }
                    Keyword::Use => {}
                }
            }
        }
        requisites
    }

    /// Every chunk an item means. A pattern or an SLS does not mean the chunk it stands in.
    fn targets(&self, from: usize, item: &Item) -> Vec<usize> {
        let means = |index: &usize| self.means(item, &self.drafts[*index].chunk);
        if item.module == "sls" || glob::is_pattern(&item.target) {
            return (0..self.drafts.len())
                .filter(|index| *index != from && means(index))
                .collect();
        }
        let named = self.by_word.get(item.target.as_str());
        named.into_iter().flatten().copied().filter(means).collect()
    }

    fn means(&self, item: &Item, chunk: &Chunk) -> bool {
        let is = |word: &str| word == item.target || glob::matches(&item.target, word);
        let named = || is(&chunk.id) || is(&chunk.name);
        match item.module.as_str() {
            "sls" => {
                glob::matches(&item.target, &chunk.sls)
                    || self.gathered.includes.iter().any(|(sls, inner)| {
                        glob::matches(&item.target, sls) && inner.contains(&chunk.sls)
                    })
            }
            "id" => named(),
            module => module == chunk.state && named(),
        }
    }

    fn is_empty_sls(&self, item: &Item) -> bool {
        item.module == "sls"
            && self
                .gathered
                .sls
                .iter()
                .any(|sls| glob::matches(&item.target, sls))
    }

    fn missing(&self, keyword: Keyword, item: &Item, chunk: &Chunk) -> Diagnostic {
        if matches!(keyword, Keyword::In(_)) {
            let known: &[Declaration] = &self.gathered.declarations;
            return cannot_extend(&item.target, &chunk.env, &chunk.sls, known).at(item.at.clone());
        }
        let chunks = || self.drafts.iter().map(|draft| &draft.chunk);
        let is = |chunk: &Chunk, word: &str| chunk.id == word || chunk.name == word;
        // The right ID under the wrong module, else the closest ID under the right one.
        let close = match item.module.as_str() {
            "sls" => None,
            module => chunks().find(|other| is(other, &item.target)).or_else(|| {
                let same = || chunks().filter(|other| module == "id" || other.state == module);
                let words = same().flat_map(|other| [other.id.as_str(), other.name.as_str()]);
                let word = closest(&item.target, words)?;
                same().find(|other| is(other, word))
            }),
        };
        let fault = requisite::missing(item, &chunk.name, &chunk.sls);
        if let Some(close) = close {
            let hint = format!("did you mean '{}: {}'?", close.state, close.id);
            return fault.also(close.at.clone()).remedy(hint);
        }
        match closest(&item.target, self.gathered.sls.iter().map(String::as_str)) {
            Some(sls) if item.module == "sls" => {
                fault.remedy(format!("did you mean 'sls: {sls}'?"))
            }
            _ => fault,
        }
    }
}

/// Targets of one kind are one requisite: `onfail` and the `_any` forms look at all of them together.
fn add(requisites: &mut Vec<Requisite>, kind: RequisiteKind, targets: Vec<usize>) {
    match requisites
        .iter_mut()
        .find(|requisite| requisite.kind == kind)
    {
        Some(requisite) => {
            for target in targets {
                if !requisite.targets.contains(&target) {
                    requisite.targets.push(target);
                }
            }
        }
        None => requisites.push(Requisite { kind, targets }),
    }
}

/// One step of a circle: `from` waits for `to`.
struct Link {
    from: usize,
    kind: RequisiteKind,
    to: usize,
}

/// For every chunk, what must be finished before it, with the requisite that says so.
fn before(chunks: &[Chunk]) -> Vec<Vec<(RequisiteKind, usize)>> {
    let mut before = vec![Vec::new(); chunks.len()];
    for (index, chunk) in chunks.iter().enumerate() {
        for requisite in &chunk.requisites {
            for target in &requisite.targets {
                match requisite.kind {
                    RequisiteKind::Listen => {}
                    RequisiteKind::Prereq => before[*target].push((requisite.kind, index)),
                    kind => before[index].push((kind, *target)),
                }
            }
        }
    }
    before
}

/// The order to run in: as sorted, but what is required comes first. Depth first, without recursion.
fn order(chunks: &[Chunk]) -> Result<Vec<usize>, Vec<Link>> {
    let before = before(chunks);
    let mut done = vec![false; chunks.len()];
    let mut positions = Vec::with_capacity(chunks.len());
    for start in 0..chunks.len() {
        // The path from `start` down, each with the next dependency to look at.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        let mut on_path: HashSet<usize> = HashSet::from([start]);
        if done[start] {
            continue;
        }
        while let Some((index, next)) = path.last_mut() {
            let Some((_, dependency)) = before[*index].get(*next) else {
                done[*index] = true;
                positions.push(*index);
                on_path.remove(index);
                path.pop();
                continue;
            };
            *next += 1;
            if done[*dependency] {
                continue;
            }
            if !on_path.insert(*dependency) {
                return Err(circle(&before, &path, *dependency));
            }
            path.push((*dependency, 0));
        }
    }
    Ok(positions)
}

/// The part of the path from `start` back to `start`.
fn circle(
    before: &[Vec<(RequisiteKind, usize)>],
    path: &[(usize, usize)],
    start: usize,
) -> Vec<Link> {
    let begin = path
        .iter()
        .position(|(index, _)| *index == start)
        .unwrap_or(0);
    path[begin..]
        .iter()
        .map(|(index, next)| {
            // `next` was moved past the dependency that the path follows.
            let (kind, to) = before[*index][next - 1];
            Link {
                from: *index,
                kind,
                to,
            }
        })
        .collect()
}

fn recursive(chunks: &[Chunk], circle: &[Link]) -> Diagnostic {
    let name = |index: usize| {
        format!(
            "{{'SLS': '{}', 'ID': '{}'}}",
            chunks[index].sls, chunks[index].id
        )
    };
    let links: Vec<String> = circle
        .iter()
        .map(|link| {
            format!(
                "({}, '{}', {})",
                name(link.from),
                link.kind.keyword(),
                name(link.to)
            )
        })
        .collect();
    let ids: Vec<&str> = circle
        .iter()
        .map(|link| chunks[link.from].id.as_str())
        .collect();
    let mut fault = Diagnostic::error(format!(
        "Recursive requisites were found: {}",
        links.join(", ")
    ));
    if let Some(first) = circle.first() {
        let chunk = &chunks[first.from];
        fault = fault
            .in_sls(&chunk.sls)
            .at(chunk.at.clone())
            .also(chunks[first.to].at.clone());
    }
    fault
        .rule("a state cannot wait for itself, directly or through others")
        .remedy(format!(
            "remove one requisite of the circle {} -> {}",
            ids.join(" -> "),
            ids.first().unwrap_or(&"")
        ))
}

fn renumber(chunks: Vec<Chunk>, positions: &[usize]) -> Vec<Chunk> {
    let mut new_index = vec![0; chunks.len()];
    for (new, old) in positions.iter().enumerate() {
        new_index[*old] = new;
    }
    let mut ordered: Vec<(usize, Chunk)> = chunks
        .into_iter()
        .enumerate()
        .map(|(old, chunk)| (new_index[old], chunk))
        .collect();
    ordered.sort_by_key(|(new, _)| *new);
    let mut chunks: Vec<Chunk> = ordered.into_iter().map(|(_, chunk)| chunk).collect();
    for requisite in chunks.iter_mut().flat_map(|chunk| &mut chunk.requisites) {
        for target in &mut requisite.targets {
            *target = new_index[*target];
        }
        requisite.targets.sort_unstable();
    }
    chunks
}
