using System.Collections.Concurrent;
using Flotta.EdgeApi.Fleet;
using Flotta.Kube;

namespace Flotta.EdgeApi.Enrolment;

/// <summary>
/// Where devices wait to be let in, each with one request that is held. Whoever has the bootstrap certificate can come here under any name, so there is room for so many and
/// no more; a second request of one name takes the place of the first.
/// </summary>
internal sealed class Anteroom
{
    private readonly ConcurrentDictionary<string, Place> places = new(StringComparer.Ordinal);
    private readonly int room;

    public Anteroom(FleetCaches fleet, int room)
    {
        this.room = room;
        fleet.Devices.Changed += change => Call(change.Key);
        fleet.Requests.Changed += change => Call(change.Key);
    }

    /// <summary>A place for a device; null where all are taken. To be disposed of.</summary>
    public Place? Enter(string deviceId)
    {
        if (places.Count >= room)
            return null;
        var place = new Place(this, deviceId);
        // The one before is a connection that only we believe in, or a device that does not wait for its own answers.
        places.AddOrUpdate(deviceId, place, (_, before) =>
        {
            before.Leave();
            return place;
        });
        return place;
    }

    private void Call(ObjectKey key)
    {
        if (places.TryGetValue(key.Name, out var place))
            place.Call();
    }

    internal sealed class Place(Anteroom anteroom, string deviceId) : IDisposable
    {
        private TaskCompletionSource news = Unheard();

        /// <summary>Somebody else has this place now.</summary>
        public bool IsLost { get; private set; }

        /// <summary>Ends when something has been heard since this was last asked for.</summary>
        public Task News()
        {
            var heard = Volatile.Read(ref news);
            if (heard.Task.IsCompleted && !IsLost)
                Interlocked.CompareExchange(ref news, Unheard(), heard);
            return Volatile.Read(ref news).Task;
        }

        public void Call() => Volatile.Read(ref news).TrySetResult();

        public void Leave()
        {
            IsLost = true;
            Call();
        }

        public void Dispose() => anteroom.places.TryRemove(KeyValuePair.Create(deviceId, this));

        private static TaskCompletionSource Unheard() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
