using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <summary>
/// What an earlier run has written, one line each, in the data directory: so that what somebody deleted on the other side meanwhile is not brought back, and so that
/// <c>flotta up</c> knows that this installation lives elsewhere. A line that a crash took away costs nothing: the object is then found as it should be.
/// </summary>
internal sealed class Journal : IDisposable
{
    /// <summary>Of a move to a cluster, and of one from a cluster.</summary>
    public const string ToCluster = "moved-to-cluster";
    public const string FromCluster = "moving-from-cluster";

    private const string Finished = "finished";

    private readonly string file;
    private readonly HashSet<string> made;
    private readonly Lock gate = new();
    private StreamWriter? writer;

    private Journal(string file, string[] lines)
    {
        this.file = file;
        Header = lines.FirstOrDefault() ?? "";
        IsFinished = lines.LastOrDefault() == Finished;
        made = [.. lines.Skip(1)];
    }

    /// <summary>Which move this is: two servers' names, and a number that nobody else has.</summary>
    public string Header { get; private set; }

    public bool IsFinished { get; private set; }

    public bool HasBegun => Header.Length > 0;

    public static Journal Read(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return new(path, File.Exists(path) ? File.ReadAllLines(path) : []);
    }

    public void Begin(string header)
    {
        var begins = !HasBegun;
        if (begins)
            Header = header;
        else if (!Header.StartsWith(header, StringComparison.Ordinal))
            throw new FailureException($"a move of another kind was begun here and is not finished ({Header}); finish that one, or remove {file} to forget it.");
        writer = new StreamWriter(new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        })) { AutoFlush = true };
        if (!begins)
            return;
        Header = $"{header} {Guid.NewGuid():N}";
        writer.WriteLine(Header);
    }

    public bool Has(MovedKind kind, ObjectKey key) => made.Contains($"{kind} {key}");

    public void Made(MovedKind kind, ObjectKey key)
    {
        lock (gate)
        {
            if (made.Add($"{kind} {key}"))
                writer!.WriteLine($"{kind} {key}");
        }
    }

    public void Finish()
    {
        writer!.WriteLine(Finished);
        IsFinished = true;
    }

    /// <summary>Nothing stands in the way of using this data directory any more.</summary>
    public void Forget()
    {
        writer?.Dispose();
        writer = null;
        File.Delete(file);
    }

    /// <summary>Two control planes with one CA, for the same devices, must not run: an installation that has moved does not start by accident.</summary>
    /// <exception cref="FailureException">It has moved, or is half-way.</exception>
    public static void RefuseWhereMoved(string folder)
    {
        foreach (var name in (ReadOnlySpan<string>)[ToCluster, FromCluster])
        {
            using var journal = Read(folder, name);
            if (!journal.HasBegun)
                continue;
            var how = journal.IsFinished ? "has been moved" : "is being moved, and that is not finished: run the same command again";
            throw new FailureException($"what is in {folder} {how} ({journal.Header[..journal.Header.LastIndexOf(' ')]}); remove {journal.file} to use it here all the same.");
        }
    }

    public void Dispose() => writer?.Dispose();
}
