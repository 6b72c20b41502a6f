namespace Flotta.Wire;

/// <summary>The only body an error answer may have: <c>{"code": 400, "message": "…"}</c>.</summary>
public sealed record ErrorBody(int Code, string? Message);
