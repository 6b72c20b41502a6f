using Flotta.ApiServer;
using Flotta.Operator.Admission;
using Flotta.Resources;

namespace Flotta.Cli;

/// <summary>What the webhooks of a cluster refuse, the embedded API server refuses too, in the same words.</summary>
internal static class EmbeddedChecks
{
    public static IReadOnlyList<WriteCheck> All { get; } = [.. AdmissionRules.All.Select(rules => new WriteCheck(rules.Name, Names.Group, rules.Plural, rules.Refusals))];
}
