@echo off
setlocal
cd /d "%~dp0" || goto share
if not exist "files\install.py" goto packed
for %%V in (@WINDOWS@) do call :try py -%%V
if not defined PY call :try python
if not defined PY goto nopython
%PY% "files\install.py" %*
pause
exit /b

:try
if defined PY exit /b
%* -c "import venv" >nul 2>nul
if %errorlevel% equ 0 set "PY=%*"
exit /b

:share
echo This folder lies on another computer. Copy it to this one, such as to
echo C:\gapmap, and start install.bat there.
pause
exit /b 1

:packed
echo The zip is not unpacked yet. Close this window, right-click the zip,
echo choose "Extract All", and start install.bat in the new folder.
pause
exit /b 1

:nopython
echo Python is not on this computer. Install it first (START-HERE.html, step 1),
echo then start install.bat again.
pause
exit /b 1
