//! The syntax that a template may have: text, variables, `if`, comparison, `~`, filters and two tests.
//!
//! Every kind of statement, expression and operator of the engine stands here, and is allowed or not. There is no wildcard: a version
//! of the engine with more syntax does not compile until it is listed here.

use std::collections::BTreeMap;

use minijinja::{
    machinery::{
        ast::{BinOpKind, CallArg, CompareOpKind, Expr, Filter, Stmt, Test, UnaryOpKind},
        parse,
    },
    syntax::SyntaxConfig,
    value::ValueKind,
};

use super::{
    TemplateErrorKind,
    error::{Located, word},
    filters,
    values::Variable,
};

/// The values that a template uses, each with the number of its places.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) variables: BTreeMap<Variable, usize>,
    pub(super) fields: BTreeMap<Field, usize>,
    judged: Judged,
}

/// How an expression is used. Whether a template can be rendered is shown to its author, who may not read the token: a condition on
/// the token would tell it bit by bit.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Judged {
    /// It is printed.
    #[default]
    No,
    /// A condition depends on it.
    Yes,
    /// A condition depends on its order.
    ByOrder,
}

/// A field of the response in a template.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field {
    pub(super) name: String,
    /// True if the template works without it there: a default follows, or a test.
    pub(super) may_be_absent: bool,
}

/// Checks a template and finds what it uses.
pub(super) fn check(text: &str) -> Result<Uses, Located> {
    let mut uses = Uses::default();
    let parsed = parse(text, "", SyntaxConfig::default())?;
    uses.statement(&parsed)?;
    Ok(uses)
}

impl Uses {
    fn statements(&mut self, statements: &[Stmt<'_>]) -> Result<(), Located> {
        statements.iter().try_for_each(|one| self.statement(one))
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Result<(), Located> {
        let (line, what) = match statement {
            Stmt::Template(template) => return self.statements(&template.children),
            Stmt::EmitRaw(_) => return Ok(()),
            Stmt::EmitExpr(emit) => return self.expression(&emit.expr),
            Stmt::IfCond(condition) => {
                self.judge(&condition.expr, Judged::Yes)?;
                self.statements(&condition.true_body)?;
                return self.statements(&condition.false_body);
            }
            Stmt::ForLoop(it) => (it.span().start_line, "for"),
            Stmt::WithBlock(it) => (it.span().start_line, "with"),
            Stmt::Set(it) => (it.span().start_line, "set"),
            Stmt::SetBlock(it) => (it.span().start_line, "set"),
            Stmt::AutoEscape(it) => (it.span().start_line, "autoescape"),
            Stmt::FilterBlock(it) => (it.span().start_line, "a filter around text"),
            Stmt::Do(it) => (it.span().start_line, "do"),
        };
        Err(Located::at(line, TemplateErrorKind::NotAllowed(what)))
    }

    fn expression(&mut self, expression: &Expr<'_>) -> Result<(), Located> {
        let line = expression.span().start_line;
        let what = match expression {
            Expr::Var(variable) => return self.variable(variable.id, line),
            Expr::GetAttr(attribute) => {
                return self.attribute(&attribute.expr, attribute.name, line);
            }
            Expr::GetItem(item) => match text_of(&item.subscript_expr) {
                Some(name) => return self.attribute(&item.expr, name, line),
                None => "an index that is not a text",
            },
            Expr::Const(constant) => match constant.value.kind() {
                ValueKind::String | ValueKind::Number | ValueKind::Bool => return Ok(()),
                _ => "none",
            },
            Expr::UnaryOp(operation) => match operation.op {
                UnaryOpKind::Not => return self.judge(&operation.expr, Judged::Yes),
                UnaryOpKind::Neg => "arithmetic",
            },
            Expr::BinOp(operation) => match refused(operation.op) {
                None => {
                    let judged = judged_by(operation.op);
                    self.judge(&operation.left, judged)?;
                    return self.judge(&operation.right, judged);
                }
                Some(what) => what,
            },
            Expr::Compare(comparison) => {
                let judged = comparison.ops.iter().map(|operand| judged_in(operand.op));
                let judged = judged.max().unwrap_or(Judged::Yes);
                self.judge(&comparison.expr, judged)?;
                for operand in &comparison.ops {
                    if let Some(what) = refused_comparison(operand.op) {
                        return Err(Located::at(line, TemplateErrorKind::NotAllowed(what)));
                    }
                    self.judge(&operand.expr, judged)?;
                }
                return Ok(());
            }
            Expr::Filter(filter) => return self.filter(filter, line),
            Expr::Test(test) => return self.test(test, line),
            Expr::IfExpr(_) => "if inside {{ ... }}",
            Expr::Slice(_) => "a slice",
            Expr::Call(_) => "a call",
            Expr::List(_) | Expr::Tuple(_) => "a list",
            Expr::Map(_) => "a map",
        };
        Err(Located::at(line, TemplateErrorKind::NotAllowed(what)))
    }

    /// An expression that a condition depends on.
    fn judge(&mut self, expression: &Expr<'_>, judged: Judged) -> Result<(), Located> {
        let before = self.judged;
        self.judged = before.max(judged);
        let result = self.expression(expression);
        self.judged = before;
        result
    }

    fn variable(&mut self, name: &str, line: u16) -> Result<(), Located> {
        let kind = match Variable::named(name) {
            Some(Variable::AccessToken) if self.judged > Judged::No => {
                TemplateErrorKind::NotAllowed("access_token in a condition")
            }
            Some(variable) => {
                *self.variables.entry(variable).or_default() += 1;
                return Ok(());
            }
            None if name == "response" => {
                TemplateErrorKind::NotAllowed("response without the name of a field")
            }
            None => TemplateErrorKind::Variable { name: word(name) },
        };
        Err(Located::at(line, kind))
    }

    fn attribute(&mut self, of: &Expr<'_>, name: &str, line: u16) -> Result<(), Located> {
        let kind = match of {
            Expr::Var(variable) if variable.id == "response" => {
                return self.field(name, false, line);
            }
            Expr::Var(variable) if Variable::named(variable.id).is_none() => {
                TemplateErrorKind::Variable {
                    name: word(variable.id),
                }
            }
            _ => TemplateErrorKind::NotAllowed("a field of something else than response"),
        };
        Err(Located::at(line, kind))
    }

    fn field(&mut self, name: &str, may_be_absent: bool, line: u16) -> Result<(), Located> {
        if is_withheld(name) {
            return Err(Located::at(line, TemplateErrorKind::Withheld(word(name))));
        }
        if self.judged == Judged::ByOrder {
            let kind = TemplateErrorKind::NotAllowed("the order of a field of the response");
            return Err(Located::at(line, kind));
        }
        let field = Field {
            name: name.to_owned(),
            may_be_absent,
        };
        *self.fields.entry(field).or_default() += 1;
        Ok(())
    }

    /// An expression that may be a field that the response does not have.
    fn optional(&mut self, expression: &Expr<'_>) -> Result<(), Located> {
        match field_of(expression) {
            Some(name) => self.field(name, true, expression.span().start_line),
            None => self.expression(expression),
        }
    }

    fn filter(&mut self, filter: &Filter<'_>, line: u16) -> Result<(), Located> {
        let arguments = |name, arguments| {
            let kind = TemplateErrorKind::Arguments { name, arguments };
            Err(Located::at(line, kind))
        };
        let Some(input) = &filter.expr else {
            let kind = TemplateErrorKind::NotAllowed("a filter around text");
            return Err(Located::at(line, kind));
        };
        if filter.name == filters::DEFAULT {
            let [CallArg::Pos(default)] = filter.args.as_slice() else {
                return arguments(filters::DEFAULT, "one argument");
            };
            self.optional(input)?;
            return self.expression(default);
        }
        let Some(name) = filters::named(filter.name) else {
            let kind = TemplateErrorKind::Filter(word(filter.name));
            return Err(Located::at(line, kind));
        };
        if !filter.args.is_empty() {
            return arguments(name, "no argument");
        }
        self.expression(input)
    }

    fn test(&mut self, test: &Test<'_>, line: u16) -> Result<(), Located> {
        if !filters::TESTS.contains(&test.name) {
            let kind = TemplateErrorKind::Test(word(test.name));
            return Err(Located::at(line, kind));
        }
        if !test.args.is_empty() {
            let kind = TemplateErrorKind::NotAllowed("an argument of a test");
            return Err(Located::at(line, kind));
        }
        self.optional(&test.expr)
    }
}

/// The reason why an operator is not allowed.
fn refused(operator: BinOpKind) -> Option<&'static str> {
    match operator {
        BinOpKind::Eq
        | BinOpKind::Ne
        | BinOpKind::Lt
        | BinOpKind::Lte
        | BinOpKind::Gt
        | BinOpKind::Gte
        | BinOpKind::ScAnd
        | BinOpKind::ScOr
        | BinOpKind::Concat => None,
        BinOpKind::Add
        | BinOpKind::Sub
        | BinOpKind::Mul
        | BinOpKind::Div
        | BinOpKind::FloorDiv
        | BinOpKind::Rem
        | BinOpKind::Pow => Some("arithmetic"),
        BinOpKind::In => Some("in"),
    }
}

/// How the operands of an operator are used, where it is allowed.
fn judged_by(operator: BinOpKind) -> Judged {
    match operator {
        BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => Judged::ByOrder,
        BinOpKind::Eq | BinOpKind::Ne | BinOpKind::ScAnd | BinOpKind::ScOr | BinOpKind::In => {
            Judged::Yes
        }
        BinOpKind::Concat
        | BinOpKind::Add
        | BinOpKind::Sub
        | BinOpKind::Mul
        | BinOpKind::Div
        | BinOpKind::FloorDiv
        | BinOpKind::Rem
        | BinOpKind::Pow => Judged::No,
    }
}

fn judged_in(operator: CompareOpKind) -> Judged {
    match operator {
        CompareOpKind::Lt | CompareOpKind::Lte | CompareOpKind::Gt | CompareOpKind::Gte => {
            Judged::ByOrder
        }
        CompareOpKind::Eq | CompareOpKind::Ne | CompareOpKind::In | CompareOpKind::NotIn => {
            Judged::Yes
        }
    }
}

fn refused_comparison(operator: CompareOpKind) -> Option<&'static str> {
    match operator {
        CompareOpKind::Eq
        | CompareOpKind::Ne
        | CompareOpKind::Lt
        | CompareOpKind::Lte
        | CompareOpKind::Gt
        | CompareOpKind::Gte => None,
        CompareOpKind::In | CompareOpKind::NotIn => Some("in"),
    }
}

/// Returns whether a field is never published, whatever the response calls it: with a refresh token anybody can act as the operator.
fn is_withheld(name: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|b| b.to_ascii_lowercase()).eq(*b"refreshtoken")
}

fn field_of<'a>(expression: &'a Expr<'_>) -> Option<&'a str> {
    let (of, name) = match expression {
        Expr::GetAttr(attribute) => (&attribute.expr, attribute.name),
        Expr::GetItem(item) => (&item.expr, text_of(&item.subscript_expr)?),
        _ => return None,
    };
    matches!(of, Expr::Var(variable) if variable.id == "response").then_some(name)
}

fn text_of<'a>(expression: &'a Expr<'_>) -> Option<&'a str> {
    match expression {
        Expr::Const(constant) => constant.value.as_str(),
        _ => None,
    }
}
