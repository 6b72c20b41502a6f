using Flotta.Cli;

namespace Flotta.Tests.Cli;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("flotta-").FullName;

    [Fact]
    public void The_folder_and_what_is_written_into_it_are_for_its_owner_alone()
    {
        var data = DataDirectory.Open(Path.Combine(folder, "new", "data"));
        var file = data.Write("bootstrap/key.pem", "a key");
        File.ReadAllText(file).ShouldBe("a key");
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(data.Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_file_is_replaced_whole_and_what_a_crash_left_half_written_does_not_matter()
    {
        var data = DataDirectory.Open(folder);
        data.Write("kubeconfig", "old");
        File.WriteAllText(Path.Combine(folder, "kubeconfig.new"), "half of the n");
        data.Write("kubeconfig", "new");
        File.ReadAllText(Path.Combine(folder, "kubeconfig")).ShouldBe("new");
        Directory.GetFiles(folder).ShouldBe([Path.Combine(folder, "kubeconfig")]);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named_with_what_to_do()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        var failure = Should.Throw<FailureException>(() => DataDirectory.Open(Path.Combine(file, "data")));
        failure.Message.ShouldContain(file);
        failure.Message.ShouldContain("--data-dir");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
