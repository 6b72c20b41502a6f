namespace Flotta.Agent.Workloads;

/// <param name="Device">Whose it is; null when it carries no mark of ours.</param>
internal sealed record FoundUnit(UnitKind Kind, string Name, string Text, string? Device, bool Enabled)
{
    public string Workload => Path.GetFileNameWithoutExtension(Name)[UnitText.Prefix.Length..];
}

/// <summary>From the units that are wanted and those that are there to what is to be written and removed. What carries another mark, or none, is left alone.</summary>
internal sealed record UnitPlan(IReadOnlyList<UnitFile> Write, IReadOnlyList<FoundUnit> Remove, IReadOnlyList<string> Foreign)
{
    public bool HasWork => Write.Count > 0 || Remove.Count > 0;

    public static UnitPlan Between(IReadOnlyList<UnitFile> wanted, IReadOnlyList<FoundUnit> found, string deviceId)
    {
        FoundUnit? There(UnitFile unit) => found.FirstOrDefault(one => one.Kind == unit.Kind && one.Name == unit.Name);
        bool IsForeign(UnitFile unit) => There(unit) is { } there && there.Device != deviceId;
        return new UnitPlan(
            [.. wanted.Where(unit => !IsForeign(unit) && (There(unit) is not { } there || there.Text != unit.Text || !there.Enabled))],
            [.. found.Where(one => one.Device == deviceId && !wanted.Any(unit => unit.Kind == one.Kind && unit.Name == one.Name))],
            [.. wanted.Where(IsForeign).Select(unit => unit.Name)]);
    }
}
