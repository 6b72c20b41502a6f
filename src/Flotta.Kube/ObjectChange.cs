namespace Flotta.Kube;

/// <summary>What happened to one object in a cache: <paramref name="Before"/> is null for a new one, <paramref name="After"/> for a deleted one.</summary>
public readonly record struct ObjectChange<T>(ObjectKey Key, T? Before, T? After)
    where T : class;
