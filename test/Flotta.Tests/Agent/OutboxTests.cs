using Flotta.Agent.Heartbeats;
using Flotta.Wire;

namespace Flotta.Tests.Agent;

public sealed class OutboxTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-outbox-").FullName;

    private string FilePath => Path.Combine(_folder, "events.json");

    [Fact]
    public void What_was_not_told_is_there_after_a_restart_in_its_order_and_what_was_is_not()
    {
        var queue = Queue();
        queue.Add("A", "1", EventTypes.Info);
        queue.Add("B", "2", EventTypes.Warn);
        File.GetUnixFileMode(FilePath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var next = Queue();
        var waiting = next.Peek();
        waiting.Entries.Select(one => (one.Reason, one.Message, one.Type)).ShouldBe([("A", "1", "info"), ("B", "2", "warn")]);
        next.Done(waiting);
        Queue().Peek().Entries.ShouldBeEmpty();
        File.Exists(FilePath).ShouldBeFalse();
    }

    [Fact]
    public void A_gap_is_told_once_and_over_restarts()
    {
        var queue = Queue(most: 2);
        foreach (var number in Enumerable.Range(1, 5))
            queue.Add("E", $"{number}", EventTypes.Info);
        queue = Queue(most: 2);
        var told = queue.Peek();
        EventQueue.Told(told)[0].Message!.ShouldStartWith("3 earlier events were dropped, the first at ");
        // Another one is dropped while the heartbeat is under way.
        queue.Add("E", "6", EventTypes.Info);
        queue.Done(told);
        var next = queue.Peek();
        (next.Dropped, next.Entries.Single().Message).ShouldBe((1, "6"));
        queue.Done(next);
        Queue(most: 2).Peek().Dropped.ShouldBe(0);
    }

    [Fact]
    public void An_event_has_the_same_id_after_a_restart_and_a_gap_has_one_too()
    {
        var queue = Queue(most: 2);
        foreach (var number in Enumerable.Range(1, 3))
            queue.Add("E", $"{number}", EventTypes.Info);
        var ids = EventQueue.Told(queue.Peek()).Select(one => one.Id).ToList();
        ids.ShouldAllBe(id => id!.Length > 0);
        ids.ShouldBeUnique();
        EventQueue.Told(Queue(most: 2).Peek()).Select(one => one.Id).ShouldBe(ids);
    }

    [Fact]
    public void More_than_one_heartbeat_may_carry_go_in_their_order_with_the_next_ones()
    {
        var queue = Queue();
        foreach (var number in Enumerable.Range(1, 70))
            queue.Add("E", $"{number}", EventTypes.Info);
        var told = new List<string?>();
        var heartbeats = 0;
        for (var more = true; more; heartbeats++)
        {
            var waiting = queue.Peek();
            waiting.Entries.Count.ShouldBeLessThanOrEqualTo(EventQueue.MostAtOnce);
            told.AddRange(waiting.Entries.Select(one => one.Message));
            queue.Done(waiting);
            more = waiting.HasMore;
        }

        heartbeats.ShouldBe(3);
        told.ShouldBe(Enumerable.Range(1, 70).Select(number => $"{number}"));
        queue.Peek().Entries.ShouldBeEmpty();
    }

    [Fact]
    public void Large_events_are_bounded_in_bytes_too()
    {
        var queue = Queue();
        foreach (var number in Enumerable.Range(1, 60))
            queue.Add("E", new string('x', 10_000) + number, EventTypes.Info);
        new FileInfo(FilePath).Length.ShouldBeLessThan(300 << 10);
        queue.Peek().Dropped.ShouldBeGreaterThan(30);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"dropped\":\"x\",\"entries\":[]}")]
    [InlineData("{\"dropped\":0,\"entries\":[{\"reason\":7}]}")]
    public void A_damaged_file_is_a_gap_and_no_reason_to_stop(string content)
    {
        File.WriteAllText(FilePath, content);
        var queue = Queue();
        queue.Peek().Dropped.ShouldBe(1);
        queue.Add("A", "1", EventTypes.Info);
        Queue().Peek().Entries.ShouldHaveSingleItem();
    }

    [Fact]
    public void A_disk_that_is_full_keeps_it_in_memory()
    {
        Directory.CreateDirectory(FilePath + ".new");
        File.WriteAllText(Path.Combine(FilePath + ".new", "in-the-way"), "");
        var queue = Queue();
        queue.Add("A", "1", EventTypes.Info);
        queue.Peek().Entries.ShouldHaveSingleItem();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private EventQueue Queue(int most = 200) => new(FilePath, most: most);
}
