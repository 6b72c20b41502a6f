namespace Flotta.ApiServer.Storage;

/// <summary>What must still be so when a write is committed.</summary>
internal readonly record struct Guard(ObjectKey Key, long Revision);

/// <summary>One change asked for.</summary>
/// <param name="Key">Of what.</param>
/// <param name="Kind">Created, modified or deleted.</param>
/// <param name="Expected">The revision that the writer saw; 0: there was no such object.</param>
/// <param name="Value">The new state; of a deletion the last one.</param>
/// <param name="Guards">Other objects that must not have changed: the namespace that it goes into, the definition of its kind.</param>
internal sealed record Write(ObjectKey Key, ChangeKind Kind, long Expected, ObjectTemplate Value, IReadOnlyList<Guard> Guards);

internal enum WriteOutcome
{
    Done,

    /// <summary>Not written: the object is no longer as expected (or exists, where nothing was).</summary>
    Conflict,

    /// <summary>Not written: a guard no longer holds.</summary>
    GuardBroken,
}

/// <param name="Outcome">What became of it.</param>
/// <param name="Object">What was written; of a conflict what is there instead, if anything.</param>
internal readonly record struct WriteResult(WriteOutcome Outcome, StoredObject? Object);

/// <summary>The storage could not take the write; nothing was changed.</summary>
internal sealed class StorageException : Exception
{
    public StorageException(string message, bool full, Exception inner)
        : base(message, inner) => Full = full;

    /// <summary>The disk is full: it may work again when there is room.</summary>
    public bool Full { get; }
}
