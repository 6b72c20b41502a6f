using System.Globalization;
using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <summary>One kind on both sides.</summary>
/// <param name="Others">On the other side besides these.</param>
internal sealed record KindComparison(MovedKind Kind, int Here, int There, string HashHere, string HashThere, int Others)
{
    public bool IsSame => Here == There && HashHere == HashThere;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Kind.Name,-26}{Here,7}{There,8}  {(IsSame ? "same" : "DIFFERENT")}  sha256:{HashHere[..16]}{(IsSame ? "" : $" there sha256:{HashThere[..16]}")}{(Others > 0 && Kind.IsOurs ? $"  (and {Others} more there)" : "")}");
}

/// <summary>Whether everything arrived: counts, and hashes over all that the objects say. Pure.</summary>
internal static class Comparison
{
    /// <param name="kept">What the other side shall have in its own way.</param>
    public static IReadOnlyList<KindComparison> Of(Census here, Census there, IReadOnlySet<(MovedKind, ObjectKey)> kept) =>
    [
        .. MovedKind.All.Select(kind =>
        {
            var (ours, theirs) = (Counted(here, kind, kept), Counted(there, kind, kept));
            return new KindComparison(kind, ours.Count, theirs.Count, Fingerprint.OfAll(ours), Fingerprint.OfAll(theirs), there.Others.GetValueOrDefault(kind));
        }),
    ];

    private static List<(ObjectKey, Fingerprint)> Counted(Census census, MovedKind kind, IReadOnlySet<(MovedKind, ObjectKey)> kept) =>
        [.. census.Of(kind).Where(one => !kept.Contains((kind, one.Key))).Select(one => (one.Key, one.Value))];
}
