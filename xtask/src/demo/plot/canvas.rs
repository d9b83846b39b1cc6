//! The few shapes of the picture.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::SVGBackend;
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{PathElement, Rectangle, Text},
    style::{
        Color, FontStyle, IntoFont, RGBColor, TextStyle, WHITE,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Where a text is, relative to its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    /// To the right of it.
    Left,
    /// To the left of it.
    Right,
    /// Around it.
    Middle,
}

/// An SVG file in the making. Coordinates are pixels from the upper left corner.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(file: &'a Path, width: i32, height: i32) -> Result<Self> {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let area = SVGBackend::new(file, size).into_drawing_area();
        area.fill(&WHITE)?;
        Ok(Self { area })
    }

    pub(super) fn rectangle(
        &self,
        from: (i32, i32),
        to: (i32, i32),
        color: RGBColor,
    ) -> Result<()> {
        let rectangle = Rectangle::new([from, to], color.filled());
        Ok(self.area.draw(&rectangle)?)
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Result<()> {
        let line = PathElement::new([from, to], color.stroke_width(1));
        Ok(self.area.draw(&line)?)
    }

    /// The point is at the text's upper edge.
    pub(super) fn text(
        &self,
        text: &str,
        at: (i32, i32),
        size: i32,
        color: RGBColor,
        anchor: Anchor,
    ) -> Result<()> {
        self.styled(text, at, size, color, anchor, FontStyle::Normal)
    }

    /// As [`Canvas::text`], in bold face.
    pub(super) fn title(
        &self,
        text: &str,
        at: (i32, i32),
        size: i32,
        color: RGBColor,
    ) -> Result<()> {
        self.styled(text, at, size, color, Anchor::Left, FontStyle::Bold)
    }

    pub(super) fn finish(self) -> Result<()> {
        Ok(self.area.present()?)
    }

    fn styled(
        &self,
        text: &str,
        at: (i32, i32),
        size: i32,
        color: RGBColor,
        anchor: Anchor,
        face: FontStyle,
    ) -> Result<()> {
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Right => HPos::Right,
            Anchor::Middle => HPos::Center,
        };
        let style = TextStyle::from(("sans-serif", size, face).into_font())
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Top));
        let text = Text::new(text.to_owned(), at, style);
        Ok(self.area.draw(&text)?)
    }
}
