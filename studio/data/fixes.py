"""Cells for a notebook that mend what was found, in pandas, on a DataFrame `df`."""

TITLES = {
    "constant": "Constant",
    "almost_constant": "Almost constant",
    "empty": "Empty column",
    "missing": "Missing values",
    "duplicate_rows": "Duplicate rows",
    "duplicate_columns": "Duplicate columns",
    "id": "Identifier",
    "leakage": "May give away the target",
    "imbalance": "Imbalanced classes",
    "high_cardinality": "Many categories",
    "skewed": "Skewed",
    "outliers": "Outliers",
    "mixed": "Mixed types",
    "numbers_as_text": "Numbers as text",
    "whitespace": "White space around text",
    "variants": "Spelling variants",
    "dates_as_text": "Dates as text",
    "infinite": "Infinite values",
    "target_missing": "Target missing",
    "target_drift": "Target differs between files",
}

_NUMBERS = (
    "for column in {columns}:\n"
    '    text = df[column].astype("string").str.replace(r"[$€£,%\\s]", "", regex=True)\n'
    '    df[column] = pd.to_numeric(text, errors="coerce")'
)
_FIXES: dict[str, str] = {
    "drop": "df = df.drop(columns={columns})",
    "duplicate_rows": "df = df.drop_duplicates(ignore_index=True)",
    "target_missing": "df = df.dropna(subset={columns}, ignore_index=True)",
    "median": "df[{columns}] = df[{columns}].fillna(df[{columns}].median())",
    "mode": "for column in {columns}:\n    df[column] = df[column].fillna(df[column].mode()[0])",
    "rare": "for column in {columns}:\n"
    "    common = df[column].value_counts().index[:20]\n"
    '    df[column] = df[column].where(df[column].isin(common) | df[column].isna(), "other")',
    "log": "import numpy as np\n\ndf[{columns}] = np.log1p(df[{columns}])",
    "signed": "import numpy as np\n\n"
    "df[{columns}] = np.sign(df[{columns}]) * np.log1p(df[{columns}].abs())",
    "outliers": "for column in {columns}:\n"
    "    low, high = df[column].quantile([0.25, 0.75])\n"
    "    far = 3 * (high - low)\n"
    "    df[column] = df[column].clip(low - far, high + far)",
    "numbers": "import pandas as pd\n\n" + _NUMBERS,
    "texts": 'df[{columns}] = df[{columns}].astype("string")',
    "strip": "for column in {columns}:\n    df[column] = df[column].str.strip()",
    "lower": "for column in {columns}:\n    df[column] = df[column].str.strip().str.lower()",
    "dates": "import pandas as pd\n\nfor column in {columns}:\n"
    '    df[column] = pd.to_datetime(df[column], format="mixed", errors="coerce")',
    "infinite": "import numpy as np\n\n"
    "df[{columns}] = df[{columns}].replace([np.inf, -np.inf], np.nan)",
    "imbalance": "# Each class weighs as much as the others; fit(..., sample_weight=weights)\n"
    "shares = df[{column}].value_counts(normalize=True)\n"
    "weights = 1 / (len(shares) * df[{column}].map(shares))",
}


def fix(which: str | None, columns: list[str]) -> str | None:
    """The cell; names of columns are literals in it, whatever they hold. None: there is no rule
    that mends it."""
    if which is None:
        return None
    first = repr(columns[0]) if columns else ""
    return _FIXES[which].replace("{columns}", repr(columns)).replace("{column}", first)
