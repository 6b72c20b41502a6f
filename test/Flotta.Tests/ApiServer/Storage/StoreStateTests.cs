using CsCheck;
using Flotta.ApiServer.Storage;

namespace Flotta.Tests.ApiServer.Storage;

public sealed class StoreStateTests
{
    private static readonly Gen<(int Namespace, int Name, bool Delete)[]> Steps = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 12], Gen.Bool).Array[0, 80];

    // A model: a plain dictionary, sorted when asked.
    [Fact]
    public void A_state_holds_what_was_written_and_lists_it_in_order() => Steps.Sample(steps =>
    {
        var state = StoreState.From(0, []);
        var model = new Dictionary<ObjectKey, long>();
        foreach (var (space, name, delete) in steps)
        {
            var key = new ObjectKey("things", "ns" + space, "n" + name);
            var present = state.Get(key);
            if (delete && present is null)
                continue;
            var made = new StoredObject(key, state.Revision + 1, [1], 0);
            state = state.With([new Change(delete ? ChangeKind.Deleted : present is null ? ChangeKind.Created : ChangeKind.Modified, made, present)]);
            if (delete)
                model.Remove(key);
            else
                model[key] = made.Revision;
        }

        var sorted = model.OrderBy(one => one.Key.Namespace, StringComparer.Ordinal).ThenBy(one => one.Key.Name, StringComparer.Ordinal).ToList();
        state.List("things", null, null).Select(one => one.Revision).ShouldBe(sorted.Select(one => one.Value));
        state.List("things", "ns1", null).Select(one => one.Revision).ShouldBe(sorted.Where(one => one.Key.Namespace == "ns1").Select(one => one.Value));
        state.List("things", null, ("ns1", "n5")).Select(one => one.Revision).ShouldBe(
            sorted.Where(one => string.CompareOrdinal(one.Key.Namespace, "ns1") > 0 || (one.Key.Namespace == "ns1" && string.CompareOrdinal(one.Key.Name, "n5") > 0)).Select(one => one.Value));
    });
}
