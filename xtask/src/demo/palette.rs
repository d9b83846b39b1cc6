//! Colours that people with any kind of colour vision can tell apart (Okabe and Ito, 2008).

use plotters::style::RGBColor;

/// Answered by the node with this index.
pub(super) const fn node(index: usize) -> RGBColor {
    const NODES: [RGBColor; 3] = [
        RGBColor(0, 114, 178),
        RGBColor(0, 158, 115),
        RGBColor(86, 180, 233),
    ];
    NODES[index % NODES.len()]
}

/// Answered by more than one node.
pub(super) const SEVERAL: RGBColor = RGBColor(0, 0, 0);
/// Answered by somebody.
pub(super) const UNKNOWN: RGBColor = RGBColor(153, 153, 153);
/// Answered by nobody.
pub(super) const LOST: RGBColor = RGBColor(213, 94, 0);

/// Titles.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Everything that explains.
pub(super) const SOFT_INK: RGBColor = RGBColor(110, 110, 110);
/// Where there is no measurement.
pub(super) const EMPTY: RGBColor = RGBColor(242, 242, 242);
