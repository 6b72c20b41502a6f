namespace Flotta.Agent.Workloads;

/// <summary>Files that hold the values of secrets: for their owner only, and whole or not there at all, whenever the power goes.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="owner">Null for the agent itself.</param>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, Account? owner, CancellationToken cancellationToken)
    {
        var next = path + ".next";
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous, UnixCreateMode = OwnerOnly };
        await using (var stream = new FileStream(next, options))
        {
            await stream.WriteAsync(content, cancellationToken);
            stream.Flush(flushToDisk: true);
        }
        Ownership.Give(next, owner);
        File.Move(next, path, overwrite: true);
    }
}
